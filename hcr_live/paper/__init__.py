"""Writing on paper: find the sheet, take out the light, find ink, group it, order it, track it."""
