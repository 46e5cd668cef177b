"""The tests: unit without sockets, contracts of the ports, integration with real peers, the whole of it end to end."""
