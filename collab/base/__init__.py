"""What every stage uses: errors, folders, keys, paths, the journal, checks."""
