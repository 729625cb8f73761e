"""Clips without a camera: a hand that writes in the air, a sheet that is held up."""
