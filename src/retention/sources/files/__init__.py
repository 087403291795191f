"""What every source of files shares: the landing folder, unpacking, bytes to text, times and the rules for values."""
