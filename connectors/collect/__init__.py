"""Collecting log lines where they arise and keeping each until Kafka has it.

    syslog ┐
    HTTP   ├─► Gathering ─► Spool ─► Shipping ─► Kafka soc.raw.<source>
    files  ┤   envelopes    disk     a thread
    stdin  ┘

What a sender was told is safe, and how far each file was read, stand in one checksummed block of the spool: both are
there after a power cut, or neither is. Blocks go to Kafka in order and are forgotten when the brokers have them.
"""
