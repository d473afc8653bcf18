"""``python -m clinicadl_trust``: the same command line as ``clinicadl``."""

from clinicadl_trust.cli.main import cli

if __name__ == "__main__":
    cli(prog_name="clinicadl-trust")
