{{/*
The objects that hold the settings and the secrets are named by what is in them, and never change. So a pod of before that
is replaced while an upgrade is under way, or after one that failed, starts with what it was made for; and pods are replaced
when what they read has another name. Both take a list of the root and the component: what runs before an installation or
upgrade has copies of its own.
*/}}
{{- define "sidecar.configMapName" -}}
{{- $root := index . 0 -}}
{{- if include "sidecar.isBefore" . -}}
{{ include "sidecar.setupName" $root }}
{{- else -}}
{{ include "sidecar.fullname" $root }}-{{ include "sidecar.configMapData" $root | sha256sum | trunc 8 }}
{{- end -}}
{{- end }}

{{- define "sidecar.secretName" -}}
{{- $root := index . 0 -}}
{{- if include "sidecar.isBefore" . -}}
{{ include "sidecar.setupName" $root }}
{{- else -}}
{{ include "sidecar.fullname" $root }}-{{ include "sidecar.secretData" $root | sha256sum | trunc 8 }}
{{- end -}}
{{- end }}

{{/* The settings as the entry of a ConfigMap. */}}
{{- define "sidecar.configMapData" -}}
config.toml: |2
  {{- .Values.config | nindent 2 }}
{{- end }}

{{/*
Metadata of such an object. Argo CD, which does not tell the chart what pods there are, deletes the one of before when all else
is done. Takes a dict with the root and the name.
*/}}
{{- define "sidecar.settingsMetadata" -}}
{{- $annotations := dict "argocd.argoproj.io/sync-options" "PruneLast=true" -}}
{{- include "sidecar.metadata" (merge (dict "component" "settings" "annotations" $annotations) .) }}
{{- end }}

{{/* Not empty for an object that has the labels of the release. Takes a list of the root and the object. */}}
{{- define "sidecar.isOfRelease" -}}
{{- $labels := dig "metadata" "labels" dict (index . 1) -}}
{{- $differs := false -}}
{{- range $label, $value := include "sidecar.release" (index . 0) | fromYaml -}}
{{- if ne (get $labels $label) $value }}{{ $differs = true }}{{ end -}}
{{- end -}}
{{- if not $differs }}yes{{ end -}}
{{- end }}

{{/* Not empty for a component that runs before the release is there. Takes a list of the root and the component. */}}
{{- define "sidecar.isBefore" -}}
{{- if has (index . 1) (list "preflight" "bootstrap") }}yes{{ end -}}
{{- end }}

{{/* Name of what is made for them, and of it alone. */}}
{{- define "sidecar.setupName" -}}
{{ include "sidecar.componentName" (list . "setup") }}
{{- end }}

{{/* Metadata of what is made for them. Takes a dict with the root, the hook, and annotations of its own. */}}
{{- define "sidecar.setupMetadata" -}}
{{- $policy := "before-hook-creation,hook-succeeded" -}}
{{- $hook := dict "helm.sh/hook" .hook "helm.sh/hook-weight" "-20" "helm.sh/hook-delete-policy" $policy -}}
{{- $annotations := merge $hook (.annotations | default dict) -}}
{{- include "sidecar.metadata" (dict "root" .root "component" "setup" "annotations" $annotations) }}
{{- end }}

{{/* Whom the program may reach. */}}
{{- define "sidecar.egress" -}}
# Name resolution.
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- if .Values.redis.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "sidecar.selector" (list . "redis") | nindent 10 }}
  ports:
    - port: 6379
{{- end }}
{{ toYaml .Values.networkPolicy.egress }}
{{- end }}
