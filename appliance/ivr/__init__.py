"""What a caller hears and keys: prompts, the speaker of numbers and dates, and (with the call agent) the flows."""
