// What a program can tell of how accessible a page is.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

export async function axe(page: Page): Promise<void> {
    // The splitter lies between two landmarks and belongs to neither.
    const { violations } = await new AxeBuilder({ page }).exclude('[role=separator]').analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
}
