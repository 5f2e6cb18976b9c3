"""The call agent: decides what happens to each call. Sees of drivers only protocol, errors and the CSTA codec."""
