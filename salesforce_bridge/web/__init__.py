"""What the operator and other systems see: pages that read, and never call Salesforce."""
