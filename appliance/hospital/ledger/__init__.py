"""Money: a double-entry ledger in integer fen that only grows. Everything here runs inside the caller's transaction."""
