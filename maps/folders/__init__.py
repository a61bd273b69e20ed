"""Folders that commands besides `plan` write: audits, frontiers, alternatives; how a folder is written and told."""
