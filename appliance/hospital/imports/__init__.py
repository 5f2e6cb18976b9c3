"""Files the hospital's staff imports: read (reading.py), tried (trial.py), and all of it or nothing saved.

A file is read into memory, so it is limited: FILE_BYTES_MOST, and so many rows per kind (kinds.py) that writing them all keeps nobody
else from writing for longer than a few seconds. What is larger is refused with the request to split it.
"""
