"""What a plan does to whom: who loses, what a meeting would reject, how sure each goal is."""
