"""What the office configures: people and their tokens, accounts, rules, fields, webhooks."""
