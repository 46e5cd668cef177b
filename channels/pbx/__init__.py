"""Telephone exchanges: Asterisk asks by FastAGI and tells by AMI."""
