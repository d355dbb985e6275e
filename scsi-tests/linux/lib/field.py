# A value of the JSON on standard input, by its path:  field.py upload_buffer.used   field.py tiers.0.state
import json
import sys

value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[int(name) if isinstance(value, list) else name]
print(value)
