"""Chat templates in the styles that published models use, written for this benchmark."""

from __future__ import annotations

CHATML = """{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}\
{{ message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

HEADERS = """{{- bos_token }}
{%- set system = namespace(text='') %}
{%- for message in messages %}
    {%- if loop.first and message.role == 'system' %}
        {%- set system.text = message.content | trim %}
    {%- else %}
        {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if system.text %}{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' ~ system.text ~ '<|eot_id|>' }}{%- endif %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}
"""

INSTRUCT = """{%- if messages[0]['role'] == 'system' %}
    {%- set preamble = messages[0]['content'] %}
    {%- set rest = messages[1:] %}
{%- else %}
    {%- set rest = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in rest %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Turns must alternate: user, assistant, user, assistant.') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {%- if loop.last and preamble is defined %}
            {{- ' [INST] ' + preamble + '\\n\\n' + message['content'] + ' [/INST]' }}
        {%- else %}
            {{- ' [INST] ' + message['content'] + ' [/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {{- ' ' + message['content'] + eos_token }}
    {%- else %}
        {{- raise_exception('Only user and assistant turns are known.') }}
    {%- endif %}
{%- endfor %}
"""

TOOLS = """{%- macro describe(tool) %}
    {%- for name, schema in tool.parameters.properties | items %}
        {{- '\\n- ' + name + ': ' + schema.type }}
        {%- if schema.enum is defined %}{{- ' (' + schema.enum | join(', ') + ')' }}{%- endif %}
    {%- endfor %}
{%- endmacro %}
{%- if tools %}
    {{- '<|im_start|>system\\nYou may call these functions. Answer with one JSON object inside <tool_call> tags.\\n<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' }}{{- tool | tojson(indent=2) }}{{- describe(tool.function if tool.function is defined else tool) }}
    {%- endfor %}
    {{- '\\n</tools><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.tool_calls is defined and message.tool_calls %}
        {{- '<|im_start|>' + message.role }}
        {%- for call in message.tool_calls %}
            {{- '\\n<tool_call>\\n{"name": "' ~ call.function.name ~ '", "arguments": ' }}
            {{- (call.function.arguments | tojson) ~ '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' ~ message.content ~ '\\n</tool_response><|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""

REASONING = """{%- set state = namespace(last_user=-1) %}
{%- for message in messages[::-1] %}
    {%- if state.last_user < 0 and message.role == 'user' and message.content is string %}
        {%- set state.last_user = messages | length - loop.index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == 'assistant' and '</think>' in content %}
        {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- if loop.index0 > state.last_user %}
            {%- set content = '<think>\\n' + thought + '\\n</think>\\n\\n' + content %}
        {%- endif %}
    {%- endif %}
    {{- '<|' + message.role + '|>\\n' + content + '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}
"""

IMAGES = """{% for message in messages %}{{ message.role | upper }}: {% if message.content is string %}{{ message.content }}\
{% else %}{% for part in message.content %}{% if part.type == 'image' %}<image>{% elif part.type == 'text' %}{{ part.text }}\
{% endif %}{% endfor %}{% endif %}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"""

DATED = """{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now('%d %b %Y') %}
    {%- else %}
        {%- set date_string = '26 Jul 2024' %}
    {%- endif %}
{%- endif %}
{{- bos_token + 'Today Date: ' + date_string + '\\n' }}
{%- for message in messages %}
    {%- generation %}{{- message.role + ': ' + message.content + eos_token }}{%- endgeneration %}
{%- endfor %}
"""

TEMPLATES = {
    "chatml": CHATML,
    "headers": HEADERS,
    "instruct": INSTRUCT,
    "tools": TOOLS,
    "reasoning": REASONING,
    "images": IMAGES,
    "dated": DATED,
}
"""Templates by style; ``tools`` and ``dated`` use macros, filters and functions that real ones use."""
