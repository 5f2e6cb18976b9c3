"""The views, one module per area. Each view runs in a request thread with its own connection to the store."""
