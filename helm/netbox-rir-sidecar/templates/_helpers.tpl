{{/*
The name that all objects begin with: the release's and the chart's, unless both are the same. What is appended to it, such as
`-worker`, is never the end of another release's name, so no two releases in a namespace can meet. Long names are cut and told
apart by a digest: with `-bootstrap` appended they may have 63 characters at most.
*/}}
{{- define "sidecar.fullname" -}}
{{- $name := ternary .Chart.Name (printf "%s-%s" .Release.Name .Chart.Name) (eq .Release.Name .Chart.Name) -}}
{{- $name = .Values.fullnameOverride | default $name -}}
{{- if gt (len $name) 53 }}{{ $name = printf "%s-%s" ($name | trunc 44 | trimSuffix "-") ($name | sha256sum | trunc 8) }}{{ end -}}
{{- $name -}}
{{- end }}

{{/* What all pods of the release have in common. */}}
{{- define "sidecar.release" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* What tells pods of one component from all others. Takes a list of the root and the component. */}}
{{- define "sidecar.selector" -}}
{{ include "sidecar.release" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of an object. Takes a list of the root and, if the object belongs to one, the component. */}}
{{- define "sidecar.labels" -}}
{{ if eq (len .) 2 }}{{ include "sidecar.selector" . }}{{ else }}{{ include "sidecar.release" (index . 0) }}{{ end }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of a pod: without the versions, which would restart it for nothing. Takes a list of the root and the component. */}}
{{- define "sidecar.podLabels" -}}
{{ include "sidecar.selector" . }}
{{- with (index . 0).Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The components that have a deployment, the workers' last. */}}
{{- define "sidecar.components" -}}
api{{ if eq .Values.mode "split" }},worker{{ end }}
{{- end }}

{{/* The component that works jobs off. */}}
{{- define "sidecar.workers" -}}
{{ include "sidecar.components" . | splitList "," | last }}
{{- end }}

{{/* Name of the objects of a component. Takes a list of the root and the component. */}}
{{- define "sidecar.componentName" -}}
{{ include "sidecar.fullname" (index . 0) }}{{ if ne (index . 1) "api" }}-{{ index . 1 }}{{ end }}
{{- end }}

{{- define "sidecar.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (ternary (include "sidecar.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* Not empty if this secret is given in either way. */}}
{{- define "sidecar.isGiven" -}}
{{ .existingSecret }}{{ .value }}
{{- end }}

{{/* Not empty if jobs are kept in a Redis, wherever its URL comes from. */}}
{{- define "sidecar.hasRedis" -}}
{{- if or .Values.redis.enabled (include "sidecar.isGiven" .Values.secrets.redisUrl) (dig "queue" "url" "" (fromToml .Values.config)) }}yes{{ end -}}
{{- end }}

{{/* Not empty if callers come through a proxy that the chart asks for, and `config` does not say how it names them. */}}
{{- define "sidecar.isBehindProxy" -}}
{{- $named := hasKey (dig "http" dict (fromToml .Values.config)) "client_address_header" -}}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) (not $named) }}yes{{ end -}}
{{- end }}

{{- define "sidecar.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/*
What Pod Security calls "restricted", for a pod and for its containers. Not a value: there is no reason to have less.
The group reads the files, which nobody else may.
*/}}
{{- define "sidecar.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "sidecar.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where pods run, and under which account. */}}
{{- define "sidecar.placement" -}}
serviceAccountName: {{ include "sidecar.serviceAccountName" . | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The secrets that the program reads, as "value name, setting, file". The bootstrap job has a token of its own if one is given.
Takes a list of the root and the component.
*/}}
{{- define "sidecar.files" -}}
{{- $secrets := (index . 0).Values.secrets -}}
{{- $token := "netboxToken" -}}
{{- if and (eq (index . 1) "bootstrap") (include "sidecar.isGiven" $secrets.bootstrapToken) }}{{ $token = "bootstrapToken" }}{{ end -}}
files:
  - {name: {{ $token }}, setting: NETBOX__TOKEN_FILE, file: netbox-token}
  {{- if include "sidecar.isGiven" $secrets.keys }}
  - {name: keys, setting: KEYS__FILE, file: keys.toml}
  {{- end }}
  {{- if include "sidecar.isGiven" $secrets.webhook }}
  - {name: webhook, setting: WEBHOOK__SECRET_FILE, file: webhook-secret}
  {{- end }}
  {{- if include "sidecar.isGiven" $secrets.webhookPrevious }}
  - {name: webhookPrevious, setting: WEBHOOK__PREVIOUS_SECRET_FILE, file: webhook-previous-secret}
  {{- end }}
  {{- if include "sidecar.isGiven" $secrets.redisUrl }}
  - {name: redisUrl, setting: QUEUE__URL_FILE, file: redis-url}
  {{- end }}
{{- end }}

{{/* A container of the program, up to its arguments. Takes a list of the root and the component. */}}
{{- define "sidecar.container" -}}
{{- $root := index . 0 -}}
image: {{ include "sidecar.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  {{- include "sidecar.containerSecurity" $root | nindent 2 }}
env:
  - name: RIR_SIDECAR__NETBOX__URL
    value: {{ $root.Values.netbox.url | quote }}
  {{- if $root.Values.netbox.caConfigMap }}
  - name: RIR_SIDECAR__NETBOX__CA_FILE
    value: /etc/rir-sidecar/ca.crt
  {{- end }}
  {{- range (include "sidecar.files" . | fromYaml).files }}
  - name: RIR_SIDECAR__{{ .setting }}
    value: /etc/rir-sidecar/{{ .file }}
  {{- end }}
  - name: RIR_SIDECAR__HTTP__LISTEN
    value: 0.0.0.0:8080
  {{- if include "sidecar.isBehindProxy" $root }}
  # Without it all callers have the proxy's address.
  - name: RIR_SIDECAR__HTTP__CLIENT_ADDRESS_HEADER
    value: x-forwarded-for
  {{- end }}
  - name: RIR_SIDECAR__WORKER__SHUTDOWN_TIMEOUT
    value: {{ $root.Values.shutdown.timeoutSeconds }}s
  {{- if $root.Values.redis.enabled }}
  - name: RIR_SIDECAR__QUEUE__URL
    value: redis://{{ include "sidecar.fullname" $root }}-redis:6379/0
  {{- end }}
  {{- if not (dig "queue" "prefix" "" (fromToml $root.Values.config)) }}
  # Releases that share a Redis must not take each other's jobs.
  - name: RIR_SIDECAR__QUEUE__PREFIX
    value: {{ $root.Release.Namespace }}.{{ include "sidecar.fullname" $root }}
  {{- end }}
  {{- with $root.Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - name: settings
    mountPath: /etc/rir-sidecar
    readOnly: true
  {{- with $root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The settings and secrets as one folder, readable by the pod's group only. Takes the same list. */}}
{{- define "sidecar.volumes" -}}
{{- $root := index . 0 -}}
- name: settings
  projected:
    defaultMode: 0440
    sources:
      - configMap:
          name: {{ include "sidecar.fullname" $root }}
      {{- with $root.Values.netbox.caConfigMap }}
      - configMap:
          name: {{ . | quote }}
          items:
            - {key: ca.crt, path: ca.crt}
      {{- end }}
      {{- range (include "sidecar.files" . | fromYaml).files }}
      {{- $secret := index $root.Values.secrets .name }}
      - secret:
          name: {{ $secret.existingSecret | default (include "sidecar.fullname" $root) | quote }}
          items:
            - {key: {{ $secret.key | quote }}, path: {{ .file }}}
      {{- end }}
{{- with $root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The entries of the Secret that the chart makes: those that are given as values. */}}
{{- define "sidecar.secretData" -}}
{{- range $secret := .Values.secrets }}
{{- with $secret.value }}
{{ $secret.key }}: {{ b64enc . }}
{{- end }}
{{- end }}
{{- end }}
