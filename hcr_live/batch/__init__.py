"""Many pictures: where they come from, who reads them, where the answers go."""
