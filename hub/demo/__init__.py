"""A day at the office in a minute: the hub beside real peers that call, write and mail."""
