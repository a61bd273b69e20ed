"""Commands on a finished plan: its pictures, its reports one by one."""
