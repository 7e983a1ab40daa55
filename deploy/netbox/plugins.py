PLUGINS = ["netbox_custom_objects"]
