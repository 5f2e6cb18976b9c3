"""The card in software: spans, a small exchange and telephones behind the same interface as real cards (`drivers.io`). See README.md.

`card.VirtualCard(config, engine)` is the card, its `world` everything beyond the sockets, its `far` the other end of E1 spans. All of it
runs on the line server's event loop; its only clock is the loop's, its only audio the media core's, so a virtual clock makes it the same
each time.
"""
