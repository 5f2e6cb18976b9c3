"""The line server: owns the lines and everything that must happen every 20 ms. Imports nothing of appliance or webui."""
