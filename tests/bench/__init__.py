"""Speed figures (`careline bench`): what issues and README give numbers for. Not tests: these machines are noisy, so figures are compared
within one run, and medians are told."""
