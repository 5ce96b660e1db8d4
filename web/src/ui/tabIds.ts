// The ids of a tab and of its panel, which name each other.

export function tabId(name: string, id: string): string {
    return `${name}-tab-${id}`;
}

export function panelId(name: string, id: string): string {
    return `${name}-panel-${id}`;
}
