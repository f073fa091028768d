import sys

from gru_training.cli import main

sys.exit(main())
