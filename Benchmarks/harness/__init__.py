"""What every comparison shares: contestants, turns, statistics, the machine, the report."""
