"""Registration: clinics and their places, who may book them, who has them, and what happens when nobody comes. Everything here runs
inside the caller's transaction."""
