"""Where the web puts what is to be restored."""

INCOMING = "backup-incoming"
"""Below data_dir. Names in it are 32 hexadecimal digits."""
