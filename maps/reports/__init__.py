"""The twelve reports that an official lays on the table: as pages, as sheets, as a document."""
