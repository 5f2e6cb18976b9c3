"""The technician's console: a shell on serial lines and terminals, and the one table of commands that `careline …` uses too."""
