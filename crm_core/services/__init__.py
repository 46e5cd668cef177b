"""Use cases: what a fact or an act changes, within one transaction."""
