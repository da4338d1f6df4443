"""Leadbus: carries leads between marketing and CRMs. What every service stands on.

`messages` and `topics` are the platform's language; `consuming`, `publishing` and `storage` keep the
promises (nothing lost, nothing counted twice); `connector` is the kit a CRM adapter plugs into;
`service` runs it all; `cli` is the `leadbus` command.
"""
