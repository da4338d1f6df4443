"""Consuming with state: nothing lost, nothing counted twice, whatever dies when (design, section 5).

`records` what a handler is given and answers · `consumer` the subscription · `applier` one batch after the
other · `positions` how far it is · `ledger` applied offsets and outbox · `decoding` one record at a time
· `log_positions` where a log stands · `dead_letters` list and replay.
"""
