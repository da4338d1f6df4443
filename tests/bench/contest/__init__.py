"""Programs that score the same events in turn.

`marketing` the events · `job`, `lead` and `telling` scoring by hand · `contestants` the programs, and what a
run of one says · `arena` where they run · `broker` what that takes at Kafka · `kept` what MongoDB has then ·
`collector` of their telemetry · `duel` two of them, round by round.
"""
