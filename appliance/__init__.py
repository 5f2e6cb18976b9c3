"""The call agent: decides what happens to each call. Sees of drivers only protocol, errors and the CSTA codec."""

from appliance import drivers_on_demand

drivers_on_demand.set_up()
