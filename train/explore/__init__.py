"""Look at data: counts, imbalance, samples, mean images, duplicates, likely label errors."""
