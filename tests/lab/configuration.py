"""NetBox configuration of the lab: everything that differs between instances comes from the environment."""

import os

_redis = {'HOST': '127.0.0.1', 'PORT': int(os.environ['RIR_LAB_REDIS_PORT'])}
_redis_db = int(os.environ.get('RIR_LAB_REDIS_DB', '0'))

ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': os.environ['RIR_LAB_DATABASE'],
        'USER': 'netbox',
        'HOST': os.environ['RIR_LAB_PG_SOCKET'],
        'CONN_MAX_AGE': 300,
        # A connection that `lab.sh reset` cut is noticed before it is used again.
        'CONN_HEALTH_CHECKS': True,
    }
}
REDIS = {
    'tasks': {**_redis, 'DATABASE': _redis_db},
    'caching': {**_redis, 'DATABASE': _redis_db + 1},
}
SECRET_KEY = os.environ['RIR_LAB_SECRET_KEY']
API_TOKEN_PEPPERS = {1: os.environ['RIR_LAB_PEPPER']}
PLUGINS = ['netbox_custom_objects']
DEBUG = False
MAX_PAGE_SIZE = 1000

# Nothing leaves the machine.
ISOLATED_DEPLOYMENT = True
CENSUS_REPORTING_ENABLED = False
