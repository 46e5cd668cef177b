"""What several nodes are one hub by: the feed of what is committed, who owns which link, what they tell each other."""
