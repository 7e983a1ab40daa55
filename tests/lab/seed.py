"""Gives a freshly migrated NetBox the lab's users and tokens. Their secrets come from the environment."""

import os

import django

django.setup()

from users.models import Token, User  # noqa: E402  (models load only after setup)

secret = os.environ.__getitem__

admin = User.objects.create_superuser('lab-admin', password=secret('RIR_LAB_ADMIN_PASSWORD'))
reader = User.objects.create_user('lab-reader', password=secret('RIR_LAB_ADMIN_PASSWORD'))

for owner, name in ((admin, 'ADMIN'), (reader, 'READER')):
    key = secret(f'RIR_LAB_{name}_KEY')
    Token(user=owner, version=2, key=key, token=secret(f'RIR_LAB_{name}_SECRET')).save()
Token(user=admin, version=1, token=secret('RIR_LAB_ADMIN_V1')).save()
