"""Accounts with channels that the office connects by itself: kept in the record, started and stopped at run time.

What hub.toml says wins. `kinds` says what each channel's accounts are made of, `sealing` keeps their secrets, `keeping`
makes definitions of what people give, `in_force` puts them beside those of hub.toml, `running` starts and stops their
connectors, `trying` proves that one works, `advice` says what to do where it does not.
"""
