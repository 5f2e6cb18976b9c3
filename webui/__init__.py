"""The web application (Flask). Sees of appliance only the control client, the store and the configuration."""
