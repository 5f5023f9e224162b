"""What reports are called."""

REPORT_NAME = "report.html"
RUN_NAME = "run.json"  # in the folder of a training run; instructgen.train.run_folder, which has it too, loads torch
