"""NetBox together with its static files, so that its pages can be looked at without a web server in front."""

from django.conf import settings
from netbox.wsgi import application as netbox
from whitenoise import WhiteNoise

application = WhiteNoise(netbox, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)
