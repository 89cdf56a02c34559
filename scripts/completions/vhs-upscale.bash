# Completion of vhs-upscale in bash: asks the program, so that it always fits its version.
eval "$(vhs-upscale completion bash)"
