"""Which prices take two persons (prices.py). Pure."""

import msgspec


class FourEyes(msgspec.Struct, frozen=True, kw_only=True):
    """Section `[hospital.four_eyes]`. registration_fees: fees of doctors, of their consultations, of clinics. drug_prices: of drugs."""

    registration_fees: bool = True
    drug_prices: bool = False


ONE_PERSON = FourEyes(registration_fees=False, drug_prices=False)
"""For what fills an empty store."""
