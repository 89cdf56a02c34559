# Completion of vhs-upscale in fish: asks the program, so that it always fits its version.
vhs-upscale completion fish | source
