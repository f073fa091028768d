import sys

if sys.argv[1:2] in (["register"], ["promote"]):
    # Their environment is without PyTorch, and that of training without their clients.
    from gru_training.registry.cli import main
else:
    from gru_training.cli import main

sys.exit(main())
