"""Tools of those who develop and operate brokerlink; nothing here runs in Lambda."""
