"""What runs inside the emulated machine: the exchange at the far end of its lines. Started from the lab's disk by the box's own Python."""
