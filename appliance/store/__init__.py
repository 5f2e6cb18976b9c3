"""The store: call records and events, recordings, messages, accounts. See models.py for the tables, writer.py for who writes."""
