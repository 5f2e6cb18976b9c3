"""The box's image in an emulated machine: boot, calls, kills, power cuts. `make image` makes what is tested."""
