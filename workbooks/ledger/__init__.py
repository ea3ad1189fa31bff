"""The ledger: what every enterprise has had, across programmes, batches and years; entries are added, never changed."""
