"""Any data set → Arrow record batches."""
